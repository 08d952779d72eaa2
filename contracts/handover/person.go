package handover

import (
	"fmt"
	"log/slog"
	"strconv"

	"github.com/einmal-hub/einmal/contracts/personal"
)

// Sex as in eCH-0044: 1 male, 2 female, 3 unknown.
const (
	Male       Code = "MALE"
	Female     Code = "FEMALE"
	SexUnknown Code = "UNKNOWN"
)

// Person is the person whose case is handed over (OPTIMA-Person). Name lengths follow eCH-0044 V4.
type Person struct {
	AHV          personal.AHV  `json:"ahv,omitzero"` // absent where the law allows it
	OfficialName personal.Text `json:"officialName"`
	FirstName    personal.Text `json:"firstName"`
	DateOfBirth  personal.Date `json:"dateOfBirth"`
	Sex          Code          `json:"sex"`
	Address      Address       `json:"address"`
	Phone        personal.Text `json:"phone,omitzero"`
	Email        personal.Text `json:"email,omitzero"`
	Language     Code          `json:"language,omitzero"` // language of correspondence, ISO 639-1 in upper case
}

// LogValue masks the whole person.
func (Person) LogValue() slog.Value { return slog.StringValue("***") }

// Format masks the whole person for every verb.
func (Person) Format(s fmt.State, _ rune) { personal.WriteMask(s) }

func (p Person) validate() error {
	var c check
	c.personal("officialName", p.OfficialName, 1, 100)
	c.personal("firstName", p.FirstName, 1, 100)
	c.must(!p.DateOfBirth.IsZero(), "dateOfBirth", "missing", "the date of birth is missing")
	switch p.Sex {
	case Male, Female, SexUnknown:
	default:
		c.Add("sex", "unknown-code", "the sex is not MALE, FEMALE or UNKNOWN", "")
	}
	c.personal("phone", p.Phone, 0, 40)
	c.personal("email", p.Email, 0, 254)
	c.code("language", p.Language, false)
	c.within("address.", p.Address.validate)
	return c.Err()
}

// Address is a Swiss postal address and the municipality of residence, which decides who is responsible. Lengths follow eCH-0010.
type Address struct {
	Street       personal.Text `json:"street,omitzero"`
	HouseNumber  personal.Text `json:"houseNumber,omitzero"`
	Zip          personal.Text `json:"zip"` // 1000 to 9999
	Town         personal.Text `json:"town"`
	Municipality int           `json:"municipality"` // BFS number, 1 to 9999 (eCH-0007)
}

func (a Address) validate() error {
	var c check
	c.personal("street", a.Street, 0, 60)
	c.personal("houseNumber", a.HouseNumber, 0, 12)
	zip, err := strconv.ParseUint(a.Zip.Reveal(), 10, 16)
	c.must(err == nil && len(a.Zip) == 4 && zip >= 1000, "zip", "zip-format", "a Swiss postcode has four digits")
	c.personal("town", a.Town, 1, 40)
	c.must(a.Municipality >= 1 && a.Municipality <= 9999, "municipality", "bfs-range", "a BFS municipality number lies between 1 and 9999")
	return c.Err()
}

// Contact is an employee of an agency who answers for the case. Her name is personal data too.
type Contact struct {
	Name  personal.Text `json:"name"`
	Phone personal.Text `json:"phone,omitzero"`
	Email personal.Text `json:"email,omitzero"`
}

// Format masks the whole contact for every verb.
func (Contact) Format(s fmt.State, _ rune) { personal.WriteMask(s) }

func (k Contact) validate() error {
	var c check
	c.personal("name", k.Name, 1, 100)
	c.personal("phone", k.Phone, 0, 40)
	c.personal("email", k.Email, 0, 254)
	return c.Err()
}

// Participant took part in a meeting. A note counts only when every participant agreed to it (concept 3.2.1).
type Participant struct {
	Name   personal.Text `json:"name"`
	Part   Code          `json:"part"` // PERSON, ASSIGNING, RECEIVING, OTHER
	Agreed bool          `json:"agreed"`
}

func (p Participant) validate() error {
	var c check
	c.personal("name", p.Name, 1, 100)
	c.code("part", p.Part, true)
	return c.Err()
}
