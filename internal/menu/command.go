package menu

import "time"

// A Policy is a set of rights of a user.
type Policy uint16

// The policies that operations ask for.
const (
	Read Policy = 1 << iota
	Write
	Test
	Sensitive
)

// A Command is the declaration of a verb of a menu.
type Command struct {
	Name    string
	Help    string
	Policy  Policy
	Args    []Arg
	Unnamed []string // the arguments that values without a name fill, in order
	Changes bool     // also takes the menu's settable properties
	Where   Where
	Output  *Menu // what its replies look like; nil for the menu's own rows
}

// An Arg is an argument of a command that is not a property of the menu.
type Arg struct {
	Name string
	Help string
	Type Type // nil for a word that stands alone: detail, once
	Item bool // names an item of the menu, as numbers does
}

// Where says how a command takes an expression that selects rows.
type Where uint8

// The ways.
const (
	NoWhere    Where = iota
	AfterWhere       // after the word where: print
	BareWhere        // all that follows: find
)

// Numbers is the argument that names items.
const Numbers = "numbers"

// Arg finds an argument by its full name, or gives nil.
func (c *Command) Arg(name string) *Arg {
	for i := range c.Args {
		if c.Args[i].Name == name {
			return &c.Args[i]
		}
	}
	return nil
}

var numbers = Arg{Name: Numbers, Help: "items: numbers of the last print, names, ids", Type: String{}}

// Add is the command that makes an item.
func Add() *Command {
	return &Command{
		Name: "add", Help: "Create a new item", Policy: Write, Changes: true,
		Args: []Arg{{Name: "copy-from", Help: "item to copy the values from", Type: String{}, Item: true}},
	}
}

// Set is the command that changes items, or the settings of a singleton.
func Set(singleton bool) *Command {
	c := &Command{Name: "set", Help: "Change properties", Policy: Write, Changes: true}
	return c.items(singleton)
}

// items gives the command the argument numbers unless its menu is a singleton.
func (c *Command) items(singleton bool) *Command {
	if !singleton {
		c.Args = append([]Arg{numbers}, c.Args...)
		c.Unnamed = append([]string{Numbers}, c.Unnamed...)
	}
	return c
}

// Remove is the command that deletes items.
func Remove() *Command {
	return (&Command{Name: "remove", Help: "Remove items", Policy: Write}).items(false)
}

// Act is a command that does to items what its name says.
func Act(name, help string, p Policy) *Command {
	return (&Command{Name: name, Help: help, Policy: p}).items(false)
}

// Enable is the command that sets disabled=no.
func Enable() *Command {
	return (&Command{Name: "enable", Help: "Enable items", Policy: Write}).items(false)
}

// Disable is the command that sets disabled=yes.
func Disable() *Command {
	return (&Command{Name: "disable", Help: "Disable items", Policy: Write}).items(false)
}

// SetComment is the command that sets an item's comment.
func SetComment() *Command {
	c := &Command{
		Name: "comment", Help: "Set comment for items", Policy: Write,
		Args: []Arg{{Name: Comment, Help: "short description of the item", Type: CommentText}}, Unnamed: []string{Comment},
	}
	return c.items(false)
}

// valueName is the argument that names a property.
func valueName(c *Command) *Command {
	c.Args = append(c.Args, Arg{Name: "value-name", Help: "property", Type: String{}})
	c.Unnamed = append(c.Unnamed, "value-name")
	return c
}

// Unset is the command that makes a property absent.
func Unset() *Command {
	return valueName(&Command{Name: "unset", Help: "Unset a property", Policy: Write}).items(false)
}

// Reset is the command that gives a property its default.
func Reset(singleton bool) *Command {
	return valueName(&Command{Name: "reset", Help: "Set a property to its default", Policy: Write}).items(singleton)
}

// Get is the command whose value is one property of one item.
func Get(singleton bool) *Command {
	return valueName(&Command{Name: "get", Help: "Get a property's value", Policy: Read}).items(singleton)
}

// Find is the command whose value is the ids of the items that match.
func Find() *Command {
	return &Command{Name: "find", Help: "Find items by value", Policy: Read, Where: BareWhere}
}

// Print is the command that shows rows; stats says that the menu has counters.
func Print(singleton, stats bool) *Command {
	c := &Command{Name: "print", Help: "Print values", Policy: Read}
	if singleton {
		c.Args = []Arg{{Name: "as-value"}, printFile, printInterval, {Name: "without-paging"}}
		return c
	}
	c.Where = AfterWhere
	c.Args = []Arg{
		{Name: "append", Help: "add to the end of the file"}, {Name: "as-value"}, {Name: "brief"}, {Name: "count-only"}, {Name: "detail"}, printFile,
		{Name: "follow", Help: "print, then each item that is new or changed"}, {Name: "follow-only", Help: "print each item that is new or changed"},
		{Name: "from", Help: "items to print", Type: String{}, Item: true}, printInterval,
		{Name: "proplist", Help: "properties to show", Type: String{}},
		{Name: "show-ids"}, {Name: "terse"}, {Name: "value-list"}, {Name: "without-paging"},
	}
	if stats {
		c.Args = append(c.Args, Arg{Name: "stats"}, Arg{Name: "stats-detail"})
	}
	return c
}

// printFile is the argument that prints to a file rather than to the reader.
var printFile = Arg{Name: "file", Help: "file to write to, without .txt", Type: FileName{}}

// printInterval is the argument that prints again and again.
var printInterval = Arg{Name: "interval", Help: "time between two prints", Type: Time{Min: minInterval, Max: day}}

// The bounds of monitor's interval are RouterOS's.
const (
	minInterval = 20 * time.Millisecond
	maxInterval = 5 * time.Second
)

// MonitorTraffic is the command that shows the traffic of interfaces again and again.
func MonitorTraffic(output *Menu) *Command {
	c := Monitor(output)
	c.Name, c.Help = "monitor-traffic", "Show traffic"
	c.Args[0] = Arg{Name: "interface", Help: "interfaces", Type: String{}, Item: true} // in the place of numbers
	c.Unnamed[0] = "interface"
	return c
}

// Monitor is the command that shows the state of items again and again.
func Monitor(output *Menu) *Command { return MonitorSettings(output).items(false) }

// ResetCounters is the command that sets the counters of items, or of a
// singleton, to zero.
func ResetCounters(singleton bool) *Command {
	return (&Command{Name: "reset-counters", Help: "Set counters to zero", Policy: Write}).items(singleton)
}

// MonitorSettings is the command that shows the state of what a singleton sets
// again and again.
func MonitorSettings(output *Menu) *Command {
	return &Command{
		Name: "monitor", Help: "Show status", Policy: Read, Output: output,
		Args: []Arg{
			{Name: "as-value", Help: "give the state as a value"},
			{Name: "do", Help: "commands to run after each reply, with its values as variables", Type: String{}},
			{Name: "once", Help: "print once and end"},
			{Name: "interval", Help: "time between two prints", Type: Time{Min: minInterval, Max: maxInterval}},
			{Name: "duration", Help: "end after this time", Type: Time{}},
			{Name: "without-paging"},
		},
	}
}
