// Package doctor has only tests: gopptp doctor on machines of its own, some of which
// are ill.
package doctor
