"""The pages an operator sees; each builds NiceGUI elements from the board and keeps them true."""
