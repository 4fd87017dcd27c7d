"""How the connection is: the home of the tool."""
