//go:build race

package rawgre_test

const raceEnabled = true
