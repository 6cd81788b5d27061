"""The widget and the plain chat page in a real Chromium, against the real server. Run by `make test-browser`."""
