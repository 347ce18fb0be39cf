package menu

import "strings"

// FileName is the name of a file in the system's files, which has no folders.
type FileName struct{ plain }

// maxFile is the longest name of a file in Linux, less what an ending takes.
const maxFile = 255 - 16

// quoted says that it prints in quotes.
func (FileName) quoted() {}

// Parse accepts a name without separators that hides nothing and climbs nowhere.
func (FileName) Parse(name, text string, _ Resolver) (string, error) {
	if strings.ContainsAny(text, `/\`) || strings.HasPrefix(text, ".") {
		return "", errInvalid(name)
	}
	return String{Min: 1, Max: maxFile, Line: true}.Parse(name, text, nil)
}
