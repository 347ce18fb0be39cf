package menu

// exported are the replies of export: the lines of a script.
var exported = (&Menu{
	Name: "export", Layout: Lines,
	Properties: []Property{{Name: "line", Type: String{}, ReadOnly: true}},
}).Standalone()

// Export is the command that writes the configuration as a script; where says that
// it can be asked for some items of the menu only.
func Export(where bool) *Command {
	c := &Command{
		Name: "export", Help: "Print configuration as commands that make it again", Policy: Read, Output: exported,
		Args: []Arg{
			{Name: "compact", Help: "what differs from the default (this is so unless told otherwise)"},
			{Name: "file", Help: "file to write to, without .rsc", Type: FileName{}},
			{Name: "hide-sensitive", Help: "without passwords (this is so unless told otherwise)"},
			{Name: "show-sensitive", Help: "with passwords"},
			{Name: "terse", Help: "each line complete with its path"},
			{Name: "verbose", Help: "all values"},
		},
	}
	if where {
		c.Where = AfterWhere
	}
	return c
}

// Import is the command that runs a script from a file.
func Import() *Command {
	return &Command{
		Name: "import", Help: "Run a script from a file", Policy: Read | Write, Output: exported,
		Args: []Arg{
			{Name: "dry-run", Help: "check it, and change nothing"},
			{Name: "file-name", Help: "file to read", Type: FileName{}},
			{Name: "from-line", Help: "number of the first line to run", Type: Int{Min: 1, Max: 1<<31 - 1}},
			{Name: "verbose", Help: "print each command before it runs", Type: Bool{}},
		},
		Unnamed: []string{"file-name"},
	}
}
