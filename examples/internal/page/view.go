package page

import (
	"embed"
	"html/template"
)

// View is a page as data.
type View struct {
	Title string
	// Lead is a paragraph in front of the sections.
	Lead     string
	Sections []Section
}

// Section is a card of a page. Each part is optional.
type Section struct {
	Title, Note string
	Table       *Table
	Toggles     []Toggle
	Forms       []Form
	// Code is a text to copy.
	Code string
}

// Table has rows of cells. Empty is what stands in its place without rows.
type Table struct {
	Head  []string
	Rows  [][]Cell
	Empty string
}

// Cell is a cell of a table.
type Cell struct {
	Text string
	// Small is a second line.
	Small string
	Tags  []Tag
	Forms []Form
	// Link is where Text leads to; "" means nowhere.
	Link string
}

// Text returns a cell with a text.
func Text(s string) Cell { return Cell{Text: s} }

// Tag is a short remark. Kind is "", "good", "warn" or "bad".
type Tag struct{ Text, Kind string }

// Form is a form that sends a POST to Action.
type Form struct {
	Action string
	Fields []Field
	Button string
	// Greyed says that the person cannot send the form. Note says why.
	Greyed bool
	Note   string
}

// Field is a field of a Form. Without a Label it is hidden. With Options it is a list to choose from.
type Field struct {
	Name, Label, Value string
	Options            []Option
}

// Option is one of the values of a Field.
type Option struct{ Value, Text string }

// Hidden returns a field that people do not see.
func Hidden(name, value string) Field { return Field{Name: name, Value: value} }

// Toggle is a switch. Its form sends its Name, and as on the state that it shall have: "true" or "false".
type Toggle struct {
	Action, Name, Label, Note string
	On                        bool
	// Greyed says that the person sees the switch and cannot use it.
	Greyed bool
}

//go:embed page.html
var pageHTML string

//go:embed page.css
var files embed.FS

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))
