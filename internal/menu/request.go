package menu

// A Request is one operation, in the form that every door asks for it. Values
// are as the person or program wrote them; the tree validates them.
type Request struct {
	Menu    *Menu
	Command *Command
	Items   []string          // *1A or a name, for commands that take numbers
	Values  []Assignment      // properties
	Args    map[string]string // the command's own arguments; a lone word has an empty value
	Filter  Filter            // rows to take; nil for all
}

// An Assignment gives a property a value, or takes it away.
type Assignment struct {
	Name  string
	Value string
	Unset bool
}
