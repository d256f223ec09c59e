# Help comes from the table of commands, however it is asked for.
antigone help completion
antigone completion --help | cmp - <(antigone help completion)
antigone completion -h bash | cmp - <(antigone help completion)
antigone | cmp - <(antigone help)
antigone --help | cmp - <(antigone help)
