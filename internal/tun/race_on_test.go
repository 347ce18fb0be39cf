//go:build race

package tun_test

const raceEnabled = true
