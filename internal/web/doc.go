// Package web is the door for people with a browser: the page under /web/ and what
// it asks for under /web/api/, the equivalent of WebFig.
//
// It lets people in and keeps their sessions, which end with the daemon; it
// serves the page out of the binary; and it shows what takes time to see, such as
// rates and the last hour. What a person changes goes through the REST of
// internal/rest, with the same checks and words. It configures nothing itself,
// knows no password longer than it takes to let somebody in, and keeps nothing on
// the disk.
package web
