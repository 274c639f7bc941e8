// wordcount prints how often each word of its input is there.
package main

import (
	"fmt"
	"log"
	"os"

	"example.org/wordcount"
)

func main() {
	words, err := wordcount.Of(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	for _, word := range words {
		fmt.Printf("%6d %s\n", word.Count, word.Text)
	}
}
