package table

import (
	"strings"

	"github.com/einmal-hub/einmal/contracts/personal"
)

// readFrancs turns "1234.50" into 123450 without any floating point.
func readFrancs(_ *field, s string) (string, *problem) {
	francs, cents, ok := strings.Cut(s, ".")
	if !ok || !allDigits(francs) || !allDigits(cents) || len(cents) != 2 || len(francs) > 13 || len(francs) > 1 && francs[0] == '0' {
		return "", amountProblem()
	}
	return centimes(francs, cents), nil
}

// readFrancsNumber turns 1234, 1234.5 or 1234.50 into centimes.
func readFrancsNumber(_ *field, s string) (string, *problem) {
	francs, cents, _ := strings.Cut(s, ".")
	if strings.Contains(s, ".") && !allDigits(cents) || !allDigits(francs) || len(cents) > 2 || len(francs) > 13 {
		return "", amountProblem()
	}
	return centimes(francs, (cents + "00")[:2]), nil
}

func centimes(francs, cents string) string {
	if all := strings.TrimLeft(francs+cents, "0"); all != "" {
		return all
	}
	return "0"
}

func writeFrancs(_ *field, s string) (string, *problem) {
	if !allDigits(s) {
		return "", amountProblem()
	}
	for len(s) < 3 {
		s = "0" + s
	}
	return s[:len(s)-2] + "." + s[len(s)-2:], nil
}

func amountProblem() *problem {
	return &problem{"amount-format", "the amount is not francs with two decimals, without sign, separators or exponent", ""}
}

// readAHV takes 13 plain digits only.
func readAHV(_ *field, s string) (string, *problem) {
	if len(s) != 13 {
		return "", ahvProblem()
	}
	return canonicalAHV(s)
}

// readDotted takes the dotted form only.
func readDotted(_ *field, s string) (string, *problem) {
	if len(s) != 16 {
		return "", ahvProblem()
	}
	return canonicalAHV(s)
}

func canonicalAHV(s string) (string, *problem) {
	n, err := personal.ParseAHV(s)
	if err != nil {
		return "", of(err)
	}
	return n.Reveal(), nil
}

func writeDotted(_ *field, s string) (string, *problem) {
	n, err := personal.ParseAHV(s)
	if err != nil {
		return "", of(err)
	}
	return n.RevealDotted(), nil
}

func ahvProblem() *problem {
	return &problem{"ahv-format", "the AHV number is not written as this system writes it", "correct it in the system where it was entered"}
}
