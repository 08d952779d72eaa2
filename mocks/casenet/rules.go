package casenet

import (
	"fmt"

	"github.com/einmal-hub/einmal/contracts/personal"
)

// rules checks what section 6 of the contract's README says and no schema can. doc has passed its schema.
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
	fs = append(fs, questions(content)...)
	switch doc["kind"] {
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

// questions finds those that stand twice.
func questions(content map[string]any) findings {
	var fs findings
	seen := map[any]bool{}
	list, _ := content["statements"].([]any)
	for i, s := range list {
		if statement, ok := s.(map[string]any); ok {
			if seen[statement["question"]] {
				fs = append(fs, finding{fmt.Sprintf("content.statements[%d].question", i), "repeated"})
			}
			seen[statement["question"]] = true
		}
	}
	return fs
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
