package detect

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"leat/pkg/event"
	"leat/pkg/sigma"
	"leat/pkg/yamlfile"
)

// sources are further log sources of an event.
type sources struct {
	Category []string `yaml:"category"`
	Service  []string `yaml:"service"`
}

// route says what events of a channel or dataset are.
type route struct {
	Channel  []string           `yaml:"channel"`
	Provider []string           `yaml:"provider"`
	Dataset  []string           `yaml:"dataset"`
	Product  string             `yaml:"product"`
	Category []string           `yaml:"category"`
	Service  []string           `yaml:"service"`
	By       []string           `yaml:"by"`
	Values   map[string]sources `yaml:"values"`

	base   int            // class without a value
	byText map[string]int // class by value
	slots  []int          // of By among the router's fields
}

// class is a set of log sources that events may have. The zero class is nothing; any stands for all of a kind.
type class struct {
	products, categories, services []string
	anyProduct, anyService, all    bool
}

// admits tells whether rules of log source l see events of the class.
func (c *class) admits(l sigma.LogSource) bool {
	has := func(want string, have []string, any bool) bool {
		return want == "" || any || slices.Contains(have, want)
	}
	return c.all || has(l.Product, c.products, c.anyProduct) && has(l.Category, c.categories, false) &&
		has(l.Service, c.services, c.anyService)
}

// classAll is the class of events that can't be routed: every rule sees them.
const classAll = 0

// classWindows is the class of Windows events of a channel that no route names.
const classWindows = 1

// firstMask is added to a set of ECS categories, as bits, to make its class.
const firstMask = 1 << 20

// router tells to which class an event belongs. It is immutable; classOf's scratch is the caller's.
type router struct {
	classes    []class
	channels   map[string]*route
	providers  map[string]*route
	datasets   map[string]*route
	patterns   []pattern
	fields     *event.Fields
	categories []string // by bit
	meaning    map[string][]string
}

type pattern struct {
	glob    string
	channel bool
	route   *route
}

// The router's fields: of each, the places in the order in which they are tried.
var routeFields = []string{
	"Channel", "winlog.channel", "Event.System.Channel",
	"Provider_Name", "winlog.provider_name", "Event.System.Provider.#attributes.Name",
	"EventID", "winlog.event_id", "Event.System.EventID", "Event.System.EventID.#text", "event.code",
	"event.dataset", "event.category", "event.kind",
}

const (
	channelAt, providerAt, eventIDAt, datasetAt, categoryAt, kindAt = 0, 3, 6, 11, 12, 13
)

func newRouter() (*router, error) {
	data, err := taxonomyFS.ReadFile("taxonomy/routes.yaml")
	if err != nil {
		return nil, err
	}
	var file struct {
		Channels   []*route            `yaml:"channels"`
		Datasets   []*route            `yaml:"datasets"`
		Categories map[string][]string `yaml:"categories"`
	}
	if _, err := yamlfile.Decode("taxonomy/routes.yaml", data, &file); err != nil {
		return nil, err
	}
	r := &router{
		classes:  []class{classAll: {all: true}, classWindows: {products: []string{"windows"}, anyService: true}},
		channels: map[string]*route{}, providers: map[string]*route{}, datasets: map[string]*route{},
		meaning: file.Categories,
	}
	names := slices.Clone(routeFields)
	for _, rt := range file.Channels {
		rt.Product = "windows"
	}
	for _, rt := range slices.Concat(file.Channels, file.Datasets) {
		r.add(rt, &names)
	}
	for c := range file.Categories {
		r.categories = append(r.categories, c)
	}
	slices.Sort(r.categories)
	if len(r.categories) > 20 {
		return nil, fmt.Errorf("taxonomy/routes.yaml: %d categories, more than 20", len(r.categories))
	}
	r.fields, err = event.CompileFields(names...)
	return r, err
}

func (r *router) add(rt *route, names *[]string) {
	base := class{categories: rt.Category, services: rt.Service}
	if rt.Product != "" {
		base.products = []string{rt.Product}
	}
	rt.base = len(r.classes)
	r.classes = append(r.classes, base)
	rt.byText = map[string]int{}
	for v, more := range rt.Values {
		c := base
		c.categories = slices.Concat(base.categories, more.Category)
		c.services = slices.Concat(base.services, more.Service)
		rt.byText[v] = len(r.classes)
		r.classes = append(r.classes, c)
	}
	for _, by := range rt.By {
		if by == "event_id" {
			for i := eventIDAt; i < datasetAt; i++ {
				rt.slots = append(rt.slots, i)
			}
			continue
		}
		at := slices.Index(*names, by)
		if at < 0 {
			at = len(*names)
			*names = append(*names, by)
		}
		rt.slots = append(rt.slots, at)
	}
	register := func(list []string, in map[string]*route, channel bool) {
		for _, n := range list {
			if strings.Contains(n, "*") {
				r.patterns = append(r.patterns, pattern{n, channel, rt})
			} else {
				in[n] = rt
			}
		}
	}
	register(rt.Channel, r.channels, true)
	register(rt.Provider, r.providers, true)
	register(rt.Dataset, r.datasets, false)
}

// view is the scratch of one goroutine.
type view struct {
	globbed globbed
	vals    []event.Value
	text    []byte
}

// read takes in the fields of e, which must have been parsed.
func (r *router) read(e *event.Event, v *view) {
	if v.vals == nil {
		v.vals = make([]event.Value, r.fields.Len())
	}
	r.fields.Read(e, v.vals)
}

// classOf returns the class of the event that v holds.
func (r *router) classOf(v *view) int {
	if name := v.first(channelAt, providerAt); name != nil {
		if rt := r.lookup(v, r.channels, name, true); rt != nil {
			return rt.class(v)
		}
		if rt := r.byProvider(v); rt != nil {
			return rt.class(v)
		}
		return classWindows
	}
	if name := v.first(datasetAt, categoryAt); name != nil {
		if rt := r.lookup(v, r.datasets, name, false); rt != nil {
			return rt.class(v)
		}
	}
	if rt := r.byProvider(v); rt != nil {
		return rt.class(v)
	}
	return r.byCategory(v.vals[categoryAt], v)
}

func (r *router) byProvider(v *view) *route {
	if name := v.first(providerAt, eventIDAt); name != nil {
		return r.providers[string(name)]
	}
	return nil
}

func (r *router) lookup(s *view, in map[string]*route, name []byte, channel bool) *route {
	if rt := in[string(name)]; rt != nil {
		return rt
	}
	m := &s.globbed
	if m.of != r || len(m.routes)+len(m.channels) >= maxGlobbed {
		*m = globbed{of: r, routes: map[string]*route{}, channels: map[string]*route{}}
	}
	known := m.routes
	if channel {
		known = m.channels
	}
	rt, ok := known[string(name)]
	if !ok {
		rt = r.glob(string(name), channel)
		known[string(name)] = rt
	}
	return rt
}

// glob is the first pattern that name fits.
func (r *router) glob(name string, channel bool) *route {
	for i := range r.patterns {
		p := &r.patterns[i]
		if p.channel == channel {
			if ok, _ := path.Match(p.glob, name); ok {
				return p.route
			}
		}
	}
	return nil
}

// globbed remembers what names of datasets and channels came to: a stream has few of them. It is one goroutine's, and of one router.
type globbed struct {
	of               *router
	routes, channels map[string]*route
}

const maxGlobbed = 1024

// byCategory makes a class of the ECS categories that the event names.
func (r *router) byCategory(v event.Value, s *view) int {
	mask := 0
	for el := range v.Elements {
		for bit, name := range r.categories {
			if el.Is(name) {
				mask |= 1 << bit
			}
		}
	}
	if mask == 0 {
		return classAll
	}
	return firstMask | mask
}

// class returns what a class number of classOf stands for.
func (r *router) class(id int) class {
	if id < firstMask {
		return r.classes[id]
	}
	c := class{anyProduct: true, anyService: true}
	for bit, name := range r.categories {
		if id&(1<<bit) != 0 {
			c.categories = append(c.categories, r.meaning[name]...)
		}
	}
	return c
}

func (rt *route) class(v *view) int {
	for _, at := range rt.slots {
		if t := v.text1(at); t != nil {
			if c, ok := rt.byText[string(t)]; ok {
				return c
			}
			return rt.base
		}
	}
	return rt.base
}

// first returns the first text among the slots from i up to j.
func (v *view) first(i, j int) []byte {
	for ; i < j; i++ {
		if t := v.text1(i); t != nil {
			return t
		}
	}
	return nil
}

// text1 returns the text of a slot with a string or number, or else nil.
func (v *view) text1(i int) []byte {
	val := v.vals[i]
	if val.Kind != event.String && val.Kind != event.Number {
		return nil
	}
	if val.Escaped() {
		v.text = val.Text(v.text)
		return v.text
	}
	return val.Text(nil)
}
