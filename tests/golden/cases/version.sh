# The version is printed as text and as JSON.
antigone version
antigone --version
antigone version --json
