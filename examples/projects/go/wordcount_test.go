package wordcount

import (
	"reflect"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	for text, wanted := range map[string][]Word{
		"":                      {},
		"one two, Two":          {{"two", 2}, {"one", 1}},
		"b-a\nc\tA":             {{"a", 2}, {"b", 1}, {"c", 1}},
		"Straße 12 straße; 12!": {{"12", 2}, {"straße", 2}},
	} {
		got, err := Of(strings.NewReader(text))
		if err != nil || !reflect.DeepEqual(got, wanted) {
			t.Errorf("%q: %v, %v instead of %v", text, got, err, wanted)
		}
	}
}
