"""One incident's way from a job to an explained alert; the process itself is workers.analyse."""
