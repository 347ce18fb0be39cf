// Package script carries out commands and scripts of the console's language over
// the tree: it evaluates what internal/menu parsed, asks the tree for each
// command of a menu, and prints what print shows.
//
// It opens no listener and keeps no rows. A script ends with its context at the
// latest; its values, its memory and the depth of its calls are bounded. It runs
// in the goroutine of its caller and starts none.
package script
