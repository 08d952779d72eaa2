package core

import (
	"math/rand/v2"
	"time"
)

// Question is something that an application form asks, and how a clerk may answer it: with one of Answers, with a number from Least to Most, or with a day
// that lies so many months before the application. Exactly one of the three is given.
type Question struct {
	Item        string   `json:"item" yaml:"item"`
	Answers     []string `json:"answers,omitzero" yaml:"answers"`
	Number      *Range   `json:"number,omitzero" yaml:"number"`
	MonthsSince *Range   `json:"monthsSince,omitzero" yaml:"monthsSince"`
}

// Range is from Least to Most, both included.
type Range struct {
	Least int `json:"least" yaml:"least"`
	Most  int `json:"most" yaml:"most"`
}

// Declare draws an answer to every question of an application of that day, YYYY-MM-DD.
func Declare(rng *rand.Rand, questions []Question, appliedOn string) []Declaration {
	var all []Declaration
	for _, q := range questions {
		d := Declaration{Item: q.Item}
		switch {
		case q.Number != nil:
			n := q.Number.draw(rng)
			d.Number = &n
		case q.MonthsSince != nil:
			d.On = monthsBefore(appliedOn, q.MonthsSince.draw(rng))
		default:
			d.Answer = q.Answers[rng.IntN(len(q.Answers))]
		}
		all = append(all, d)
	}
	return all
}

func (r Range) draw(rng *rand.Rand) int { return r.Least + rng.IntN(r.Most-r.Least+1) }

func monthsBefore(day string, months int) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return t.AddDate(0, -months, 0).Format(time.DateOnly)
}
