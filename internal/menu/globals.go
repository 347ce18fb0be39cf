package menu

// block marks an argument that is code: do={…}. It is not evaluated before the
// command runs it.
type block struct{ String }

// variable marks an argument that names a variable rather than having its value.
type variable struct{ String }

// globals are the commands that belong to no menu.
var globals = []*Command{
	anywhere("convert", "Write a text in another form", valueArg("value", "text"), namedArg(Arg{Name: "from", Type: Words(Encodings...), Help: "form that it has"}),
		namedArg(Arg{Name: "to", Type: Words(Encodings...), Help: "form that it gets"}), namedArg(Arg{Name: "transform", Type: Words(Transforms...), Help: "what is done with it between"})),
	anywhere("delay", "Wait", valueArg("delay-time", "how long")),
	anywhere("deserialize", "Read a value from a text", valueArg("value", "text"), namedArg(Arg{Name: "from", Type: Words("json"), Help: "form of the text"}),
		namedArg(Arg{Name: "options", Type: Words(JSONPlain), Help: "json.no-string-conversion: texts stay texts"})),
	anywhere("do", "Run commands", codeArg("command", "commands to run"), namedArg(valueArg("while", "condition to run them again")),
		namedArg(codeArg("on-error", "commands to run after an error"))),
	anywhere("environment", "Print the global variables", Arg{Name: "action", Type: Words("print"), Help: "print"}),
	anywhere("error", "End with an error", valueArg("message", "text of the error")),
	anywhere("execute", "Run a script on its own", codeArg("script", "text or code to run"), namedArg(Arg{Name: "as-string", Help: "wait for it, and give what it prints"})),
	anywhere("find", "Find a value in a text or an array", valueArg("where", "text or array"), valueArg("key", "what to find"), valueArg("start", "place after which to begin")),
	anywhere("for", "Run commands for each number", variableArg, namedArg(valueArg("from", "first number")), namedArg(valueArg("to", "last number")),
		namedArg(valueArg("step", "difference between two numbers")), namedArg(codeArg("do", "commands to run"))),
	anywhere("foreach", "Run commands for each element", Arg{Name: "variable", Type: variable{}, Help: "variable, or key,variable"},
		namedArg(valueArg("in", "array")), namedArg(codeArg("do", "commands to run"))),
	anywhere("global", "Declare or set a global variable", variableArg, valueArg("value", "its value"), namedArg(codeArg("do", "its code: a function"))),
	anywhere("if", "Run commands under a condition", valueArg("condition", "condition"), namedArg(codeArg("do", "commands to run if it holds")),
		namedArg(codeArg("else", "commands to run if it does not hold"))),
	anywhere("jobname", "Give the name of the script that runs"),
	anywhere("len", "Count characters or elements", valueArg("value", "text or array")),
	anywhere("local", "Declare or set a local variable", variableArg, valueArg("value", "its value"), namedArg(codeArg("do", "its code: a function"))),
	anywhere("log", "Write an entry into the log", Arg{Name: "topics", Type: Words("debug", "error", "info", "warning"), Help: "severity"}, valueArg("message", "text of the entry")),
	anywhere("nothing", "Give no value"),
	anywhere("onerror", "Run commands and handle their error", variableArg, namedArg(codeArg("in", "commands to run")), namedArg(codeArg("do", "commands to run after an error"))),
	anywhere("parse", "Make code of a text", valueArg("value", "text of a script")),
	anywhere("pick", "Take a part of a text or an array", valueArg("counter", "text or array"), valueArg("begin", "first place"), valueArg("end", "place after the last")),
	anywhere("put", "Print a value", valueArg("message", "value to print")),
	anywhere("resolve", "Look up the address of a name", valueArg("domain-name", "name"), namedArg(Arg{Name: "type", Type: Words("ipv4", "ipv6"), Help: "kind of the address"})),
	anywhere("retry", "Run commands again while they fail", namedArg(codeArg("command", "commands to run")), namedArg(valueArg("delay", "time before the next try")),
		namedArg(valueArg("max", "number of tries")), namedArg(codeArg("on-error", "commands to run when all tries failed"))),
	anywhere("return", "End a function with a value", valueArg("value", "value of the function")),
	anywhere("rndnum", "Give a random number", namedArg(valueArg("from", "smallest number")), namedArg(valueArg("to", "largest number"))),
	anywhere("rndstr", "Give a random text", namedArg(valueArg("length", "characters")), namedArg(valueArg("from", "characters to choose from"))),
	anywhere("serialize", "Write a value as a text", valueArg("value", "value"), namedArg(Arg{Name: "to", Type: Words("json"), Help: "form of the text"}),
		namedArg(Arg{Name: "options", Type: SetOf{Words: []string{JSONPlain, JSONPretty}}, Help: "json.pretty: over several lines; json.no-string-conversion: texts stay texts"})),
	anywhere("set", "Set a variable or an element of an array", variableArg, valueArg("value", "its new value")),
	anywhere("time", "Measure how long commands take", codeArg("command", "commands to run")),
	anywhere("timestamp", "Give the time since 1970"),
	anywhere("toarray", "Make an array of a value", valueArg("value", "value"), namedArg(valueArg("delimiter", "what stands between the elements in a text"))),
	anywhere("tobool", "Make a bool of a value", valueArg("value", "value")),
	anywhere("toid", "Make an item id of a value", valueArg("value", "value")),
	anywhere("toip", "Make an IP address of a value", valueArg("value", "value")),
	anywhere("toip6", "Make an IPv6 address of a value", valueArg("value", "value")),
	anywhere("tonum", "Make a number of a value", valueArg("value", "value")),
	anywhere("tonsec", "Give a time in nanoseconds", valueArg("value", "time")),
	anywhere("tostr", "Make a text of a value", valueArg("value", "value")),
	anywhere("totime", "Make a time of a value", valueArg("value", "value")),
	anywhere("typeof", "Give the type of a value", valueArg("value", "value")),
	anywhere("while", "Run commands while a condition holds", valueArg("condition", "condition"), namedArg(codeArg("do", "commands to run"))),
}

// The words of :convert, :serialize and :deserialize.
var (
	Encodings  = []string{"base32", "base64", "hex", "raw", "url"}
	Transforms = []string{"lc", "md5", "none", "reverse", "rot13", "sha512", "uc"}
)

// The options of :serialize and :deserialize.
const (
	JSONPlain  = "json.no-string-conversion"
	JSONPretty = "json.pretty"
)

var variableArg = Arg{Name: "name", Type: variable{}, Help: "name of the variable"}

func valueArg(name, help string) Arg { return Arg{Name: name, Type: String{}, Help: help} }

func codeArg(name, help string) Arg { return Arg{Name: name, Type: block{}, Help: help} }

// argumentOnly is an argument that needs its name.
type argumentOnly Arg

func namedArg(a Arg) argumentOnly { return argumentOnly(a) }

// anywhere declares a command of no menu, whose arguments need no name unless
// they say so.
func anywhere(name, help string, args ...any) *Command {
	c := &Command{Name: name, Help: help, Policy: Read}
	for _, a := range args {
		switch a := a.(type) {
		case Arg:
			c.Args = append(c.Args, a)
			c.Unnamed = append(c.Unnamed, a.Name)
		case argumentOnly:
			c.Args = append(c.Args, Arg(a))
		}
	}
	return c
}

// global finds a command that belongs to no menu, or gives nil.
func global(name string) *Command {
	for _, g := range globals {
		if g.Name == name {
			return g
		}
	}
	return nil
}

// abbreviated finds a command that belongs to no menu by the beginning of its
// name only.
func abbreviated(word string) (c *Command, ambiguous bool) {
	names := make([]string, len(globals))
	for i, g := range globals {
		names[i] = g.Name
	}
	name, ambiguous := match(word, names)
	return global(name), ambiguous
}
