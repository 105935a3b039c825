package parse

// isLevel tells whether s is a word for a log level. Behind a time it stands where a syslog header has its host.
func isLevel(s []byte) bool {
	if len(s) < 4 || len(s) > 8 {
		return false
	}
	switch string(s) {
	case "info", "INFO", "warn", "WARN", "warning", "WARNING", "error", "ERROR", "debug", "DEBUG", "trace", "TRACE", "fatal", "FATAL",
		"verbose", "VERBOSE", "trivia", "notice", "NOTICE", "critical", "CRITICAL", "panic", "PANIC":
		return true
	}
	return false
}
