// Package web has tests only: the page of the router in a real Chromium, over
// daemons with real tunnels, and over thousands of sessions that are made up. They
// look at what a person sees and reach for what a person would: mouse and keys, no
// function of the page. With GOPPTP_SCREENSHOTS set to a directory they also write
// the pictures of the documentation there.
package web
