package menu

// Run is the command that runs scripts of the menu.
func Run() *Command {
	return (&Command{Name: "run", Help: "Run scripts", Policy: Read}).items(false)
}
