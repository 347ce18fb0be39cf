package tree

import "gopptp/internal/menu"

// newL2TPSecrets declares /ppp/l2tp-secret.
func (t *Tree) newL2TPSecrets() *table {
	return &table{
		menu: &menu.Menu{
			Name: "l2tp-secret", Help: "Secrets of L2TP peers", Noun: "l2tp secret", Layout: menu.Table,
			Columns: []menu.Column{{Property: "address"}, {Property: "secret"}},
			Properties: []menu.Property{
				{Name: "address", Type: network4{}, Default: "0.0.0.0/0", Kept: true, Help: "Addresses of the peers"},
				{Name: "secret", Type: credential, Sensitive: true, Kept: true, Help: "Secret shared with the peers"},
				comment,
			},
			Commands: []*menu.Command{
				menu.Add(), menu.SetComment(), menu.Find(), menu.Get(false), menu.Print(false, false), menu.Remove(), menu.Reset(false), menu.Set(false),
			},
		},
		put:  keepOnly,
		drop: func(menu.ID) {},
	}
}

// network4 is an IPv4 address or prefix.
type network4 struct{ menu.Enum }

// Parse accepts an address, or a prefix with a length.
func (network4) Parse(name, text string, _ menu.Resolver) (string, error) {
	p, err := parseNetwork(text)
	if err != nil || !p.Addr().Is4() {
		return "", menu.Errorf(menu.BadArgument, "invalid value for argument %s", name)
	}
	return p.String(), nil
}

// Describe says what a value may be.
func (network4) Describe() string { return "IPv4 address or prefix" }
