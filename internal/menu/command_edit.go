package menu

// Edit is the command that lets a person change a property on the whole screen. It
// asks for what set asks for, whose policy it is given.
func Edit(singleton bool, set Policy) *Command {
	return valueName(&Command{Name: "edit", Help: "Edit a property on the whole screen", Policy: set | Read}).items(singleton)
}
