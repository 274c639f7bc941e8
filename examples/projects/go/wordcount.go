// Package wordcount counts words, whatever their case and what stands between them.
package wordcount

import (
	"bufio"
	"io"
	"sort"
	"strings"
	"unicode"
)

// Word is a word and how often it was there.
type Word struct {
	Text  string
	Count int
}

// Of returns the words of a text, the most frequent first, equals by the alphabet.
func Of(text io.Reader) ([]Word, error) {
	counts := map[string]int{}
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		for _, word := range strings.FieldsFunc(lines.Text(), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r)
		}) {
			counts[strings.ToLower(word)]++
		}
	}
	words := make([]Word, 0, len(counts))
	for text, count := range counts {
		words = append(words, Word{text, count})
	}
	sort.Slice(words, func(i, j int) bool {
		if words[i].Count != words[j].Count {
			return words[i].Count > words[j].Count
		}
		return words[i].Text < words[j].Text
	})
	return words, lines.Err()
}
