package directory

import (
	"strings"
)

// DefaultSet returns what a rule without `set` writes: pairs of event field and column. field is the rule's key: of user.*,
// user.target.*, source.user.* and the like the account's fields beside it are written, of host.* the machine's. Of other
// fields, and of plain directories, whose columns mean what their owner says, there is no default.
func (c *Config) DefaultSet(field string) [][2]string {
	if c.Kind == kindLDAP {
		return nil
	}
	object, _, ok := cutLast(field)
	if !ok {
		return nil
	}
	switch parts := strings.Split(object, "."); {
	case parts[len(parts)-1] == "host":
		return [][2]string{
			{object + ".function", "function"}, {object + ".owner", "owner"}, {object + ".office.name", "office.name"},
			{object + ".office.city", "office.city"}, {object + ".office.country", "office.country"}, {object + ".domain", "domain"},
			{object + ".os.name", "os"}, {object + ".os.version", "os_version"},
		}
	case parts[0] == "user" || parts[len(parts)-1] == "user" || len(parts) > 1 && parts[len(parts)-2] == "user":
		set := [][2]string{
			{object + ".full_name", "full_name"}, {object + ".email", "email"}, {object + ".id", "sid"}, {object + ".name", "sam"},
			{object + ".domain", "domain"}, {object + ".roles", "groups"}, {object + ".department", "department"}, {object + ".title", "title"},
			{object + ".manager", "manager"}, {object + ".office.name", "office.name"}, {object + ".office.city", "office.city"},
			{object + ".office.country", "office.country"},
		}
		if object == "user" {
			set = append(set, [2]string{"organization.name", "organization"})
		}
		return set
	}
	return nil
}

func cutLast(field string) (before, after string, ok bool) {
	i := strings.LastIndexByte(field, '.')
	if i < 0 {
		return "", "", false
	}
	return field[:i], field[i+1:], true
}
