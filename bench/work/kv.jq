[scan("(\\w+)=(\"[^\"]*\"|\\S+)") | {key: .[0], value: (.[1] | ltrimstr("\"") | rtrimstr("\""))}] | from_entries
