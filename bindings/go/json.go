package metrics

import (
	"encoding/json"
	"strings"
)

// decodeNumbers decodes JSON without turning integers into floating point numbers.
func decodeNumbers(text string, into any) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into)
}
