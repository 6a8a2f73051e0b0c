"""Asking Qwen3-VL why: sampling, prompts, rule book, client, parsing."""
