package casenet

import (
	"fmt"
	"slices"

	"github.com/einmal-hub/einmal/contracts/personal"
)

// rules checks what section 7 of the contract's README says and no schema can. doc has passed its schema.
func rules(doc map[string]any) findings {
	content, ok := doc["content"].(map[string]any)
	if !ok {
		return nil
	}
	var fs findings
	if number := text(content, "client", "socialSecurityNumber"); number != "" {
		if _, err := personal.ParseAHV(number); err != nil {
			fs = append(fs, finding{"content.client.socialSecurityNumber", "check-digit"})
		}
	}
	ordered := func(path, earlier, later string) {
		if earlier != "" && later != "" && later < earlier {
			fs = append(fs, finding{path, "dates-reversed"})
		}
	}
	ordered("content.legalBasis.date", text(content, "legalBasis", "date"), text(content, "applicationDate"))
	ordered("content.period.to", text(content, "period", "from"), text(content, "period", "to"))
	fs = append(fs, repeated(content, "statements", "question")...)
	fs = append(fs, repeated(content, "documents", "sha256")...)
	switch doc["kind"] {
	case "assessment":
		if blocked(content) != (content["outcome"] == "returned") {
			fs = append(fs, finding{"content.findings", "out-of-range"})
		}
	case "transferNote":
		if agreed(content) {
			ordered("content.nextReview", text(content, "caseWorkStart"), text(content, "nextReview"))
		}
	case "reviewNote":
		if content["continuation"] == true {
			ordered("content.nextReview", text(content, "meetingDate"), text(content, "nextReview"))
		}
	}
	return fs
}

// repeated finds items of a list whose key stands twice.
func repeated(content map[string]any, list, key string) findings {
	var fs findings
	seen := map[any]bool{}
	for i, item := range items(content, list) {
		if seen[item[key]] {
			fs = append(fs, finding{fmt.Sprintf("content.%s[%d].%s", list, i, key), "repeated"})
		}
		seen[item[key]] = true
	}
	return fs
}

// blocked reports whether a finding of an assessment is blocking.
func blocked(content map[string]any) bool {
	return slices.ContainsFunc(items(content, "findings"), func(f map[string]any) bool { return f["severity"] == "blocking" })
}

// items returns the objects of a list.
func items(content map[string]any, list string) []map[string]any {
	var all []map[string]any
	values, _ := content[list].([]any)
	for _, v := range values {
		item, _ := v.(map[string]any)
		all = append(all, item)
	}
	return all
}

// text returns the string at a path, or "".
func text(in map[string]any, path ...string) string {
	for _, part := range path[:len(path)-1] {
		next, ok := in[part].(map[string]any)
		if !ok {
			return ""
		}
		in = next
	}
	s, _ := in[path[len(path)-1]].(string)
	return s
}

func agreed(content map[string]any) bool {
	list, _ := content["attendees"].([]any)
	for _, a := range list {
		if attendee, ok := a.(map[string]any); !ok || attendee["agrees"] != true {
			return false
		}
	}
	return true
}
