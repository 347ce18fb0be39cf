package menu

import "strings"

// A Pos is a place in the source, in octets from its start.
type Pos int

// Locate gives the line and column of a place, both from 1; a column is a
// character.
func (p Pos) Locate(src string) (line, column int) {
	before := src[:min(int(p), len(src))]
	line = strings.Count(before, "\n") + 1
	last := before[strings.LastIndexByte(before, '\n')+1:]
	return line, len([]rune(last)) + 1
}

// A Script is what a line or a file was parsed into.
type Script struct {
	Source string // that the places of its parts are in
	Calls  []*Call
}

// A Call is one command with its arguments; names in it are resolved, so that
// abbreviations are gone. Without Command, Callee and Block it enters Menu.
type Call struct {
	Pos     Pos
	Menu    *Menu
	Command *Command
	Global  bool    // :put and its like, which belong to no menu
	Callee  Expr    // the function that is called: $f a=1, or [a command]; its values without a name are called 1, 2, …
	Block   *Script // commands in braces that stand alone
	Args    []Argument
	Where   Expr // nil for none
}

// Enters reports whether the call only changes the menu where commands are looked
// for.
func (c *Call) Enters() bool { return c.Command == nil && c.Callee == nil && c.Block == nil }

// An Argument is a named or unnamed argument, with its full name.
type Argument struct {
	Pos   Pos
	Name  string
	Value Expr // nil for a word that stands alone, and with Unset
	Unset bool // !name
}

// An Expr has a value.
type Expr interface{ Position() Pos }

// A Literal is text.
type Literal struct {
	Pos    Pos
	Text   string
	Quoted bool
}

// A Field is a property of the row that an expression is asked about.
type Field struct {
	Pos  Pos
	Name string // full name, or IDKey
}

// A Substitution is the value of a command: [find name=x].
type Substitution struct {
	Pos    Pos
	Script *Script
}

// A Compare compares its operands: = != < > <= >= ~ in.
type Compare struct {
	Pos         Pos
	Op          string
	Left, Right Expr
}

// A Logic joins its terms by and, or by or.
type Logic struct {
	Pos   Pos
	Or    bool
	Terms []Expr
}

// A Not negates.
type Not struct {
	Pos Pos
	X   Expr
}

// A Variable is the value of $name.
type Variable struct {
	Pos  Pos
	Name string
}

// A Joined is a string with parts to evaluate: "a $b $(1+2) $[get x]".
type Joined struct {
	Pos   Pos
	Parts []Expr
}

// A Binary is an operation on two operands: + - * / % . , & | ^ << >> and ->,
// which takes an element out of an array.
type Binary struct {
	Pos         Pos
	Op          string
	Left, Right Expr
}

// A Unary is an operation on one operand: - and ~.
type Unary struct {
	Pos Pos
	Op  string
	X   Expr
}

// An Array lists its elements: {1;2} or {"a"=1}.
type Array struct {
	Pos      Pos
	Elements []Element
}

// An Element is an element of an Array.
type Element struct {
	Key   Expr // nil for none
	Value Expr
}

// A Block is code as a value: do={…}.
type Block struct {
	Pos    Pos
	Script *Script
}

// Position gives where the expression begins.
func (e *Literal) Position() Pos { return e.Pos }

// Position gives where the expression begins.
func (e *Field) Position() Pos { return e.Pos }

// Position gives where the expression begins.
func (e *Substitution) Position() Pos { return e.Pos }

// Position gives where the expression begins.
func (e *Compare) Position() Pos { return e.Pos }

// Position gives where the expression begins.
func (e *Logic) Position() Pos { return e.Pos }

// Position gives where the expression begins.
func (e *Not) Position() Pos { return e.Pos }

// Position gives where the expression begins.
func (e *Variable) Position() Pos { return e.Pos }

// Position gives where the expression begins.
func (e *Joined) Position() Pos { return e.Pos }

// Position gives where the expression begins.
func (e *Binary) Position() Pos { return e.Pos }

// Position gives where the expression begins.
func (e *Unary) Position() Pos { return e.Pos }

// Position gives where the expression begins.
func (e *Array) Position() Pos { return e.Pos }

// Position gives where the expression begins.
func (e *Block) Position() Pos { return e.Pos }
