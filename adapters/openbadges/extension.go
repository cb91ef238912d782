package openbadges

import "strings"

// The extensions that the validators of Open Badges 2.0 know, by the last
// part of their type, and what their schemas demand:
// https://www.imsglobal.org/sites/default/files/Badges/OBv2p0Final/extensions/index.html
var extensions = map[string]func(node map[string]any) bool{
	"ExampleExtension": func(node map[string]any) bool {
		for _, name := range []string{"exampleProperty", "http://schema.org/text", "schema:text"} {
			if v, there := node[name]; there {
				return text(v) != ""
			}
		}
		return false
	},
	"ApplyLink": func(node map[string]any) bool {
		for _, name := range []string{"url", "extensions:applyLink"} {
			if v, there := node[name]; there {
				return isURL(ref(v))
			}
		}
		return false
	},
	"GeoCoordinates": func(node map[string]any) bool {
		geo := object(first(node, "geo", "schema:geo"))
		_, latitude := first(geo, "latitude", "schema:latitude").(float64)
		_, longitude := first(geo, "longitude", "schema:longitude").(float64)
		return latitude && longitude && text(first(node, "description", "schema:description")) != ""
	},
}

// first returns the first property of a node that is there.
func first(node map[string]any, names ...string) any {
	for _, name := range names {
		if v, there := node[name]; there {
			return v
		}
	}
	return nil
}

// checkExtensions looks for extensions inside a node. It returns the first
// one that breaks its schema, and whether there is one whose schema is not
// known.
func checkExtensions(node map[string]any) (broken string, unknown bool) {
	if isA(node, "Extension", "obi:Extension") {
		for _, t := range types(node) {
			name := t[strings.LastIndexAny(t, "/#:")+1:]
			if name == "Extension" {
				continue
			}
			check, known := extensions[name]
			switch {
			case !known:
				unknown = true
			case !check(node):
				return "the extension " + name + " breaks its schema", unknown
			}
		}
	}
	for _, v := range node {
		for _, one := range each(v) {
			inner, ok := one.(map[string]any)
			if !ok {
				continue
			}
			b, u := checkExtensions(inner)
			if unknown = unknown || u; b != "" {
				return b, unknown
			}
		}
	}
	return "", unknown
}
