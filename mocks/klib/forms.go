package klib

import "github.com/einmal-hub/einmal/mocks/core"

func anmeldung(f core.Facts) form {
	m := form{
		"antragsteller": f.Assigning,
		"verfahren":     wort(map[string]string{"OPTIMA_ALV": "arbeitsvermittlung", "OPTIMA_IV": "invalidenversicherung", "OPTIMA_SH": "sozialberatung"}, f.Process),
		"zielgruppe":    "ZG-" + f.TargetGroup,
		"antragsdatum":  tag(f.AppliedOn), "klient": klient(f.Person), "dauerMonate": f.PlannedMonths,
		"lage": form{
			"sozialberatung": janein(f.Situation.SocialCounselling), "sozialhilfe": janein(f.Situation.EconomicAssistance),
			"stellensuchend": janein(f.Situation.RegisteredJobseeker), "arbeitslosengeld": janein(f.Situation.UnemploymentBenefit),
			"ivMassnahme": janein(f.Situation.DisabilityMeasures),
		},
		"einwilligung": form{
			"art":   wort(map[string]string{"CONSENT": "vollmacht", "INFORMED": "information"}, f.ConsentKind),
			"datum": tag(f.ConsentGivenOn),
		},
		"auftrag": f.Goal, "begruendung": f.Reason, "zustaendig": kontakt(f.Contact),
	}
	m.opt("empfaenger", string(f.Receiving))
	if f.Declarations != nil {
		m["erklaerungen"] = erklaerungen(f)
	}
	if f.Deputy != nil {
		m["stellvertretung"] = kontakt(*f.Deputy)
		m["interneNotiz"] = "Stellvertretung informiert; Akten im Schrank 3, \"Ablage <neu>\""
	}
	return mit(m, f)
}

func erklaerungen(f core.Facts) []form {
	words := woerter()
	list := make([]form, len(f.Declarations))
	for i, d := range f.Declarations {
		list[i] = form{"frage": wort(words["frage"], d.Item)}
		list[i].opt("antwort", wort(words["antwort"], d.Answer))
		list[i].opt("tag", tag(d.On))
		if d.Number != nil {
			list[i]["zahl"] = *d.Number
		}
	}
	return list
}

func klient(p core.Person) form {
	k := form{
		"nachname": p.OfficialName, "vorname": p.FirstName, "geburtsdatum": tag(p.DateOfBirth),
		"geschlecht": wort(map[string]string{"MALE": "maennlich", "FEMALE": "weiblich", "UNKNOWN": "unbekannt"}, p.Sex),
		"plz":        p.Zip, "ort": p.Town, "bfsNummer": p.Municipality,
	}
	k.opt("ahv", Dotted(p.AHV))
	k.opt("strasse", p.Street)
	k.opt("hausnummer", p.HouseNumber)
	k.opt("telefon", p.Phone)
	k.opt("mail", p.Email)
	k.opt("sprache", wort(map[string]string{"DE": "deutsch", "FR": "franzoesisch", "IT": "italienisch", "EN": "englisch"}, p.Language))
	return k
}

func rueckzug(f core.Facts) form {
	reasons := map[string]string{"PERSON_WITHDREW": "klient-zieht-zurueck", "AGENCY_WITHDREW": "stelle-zieht-zurueck", "OTHER": "sonstiger"}
	return form{"datum": tag(f.WithdrawnOn), "grund": wort(reasons, f.WithdrawalReason)}
}

func rueckfrage(f core.Facts) form {
	m := form{"frage": f.Question}
	m.opt("antwortBis", tag(f.AnswerBy))
	return m
}

func entscheid(f core.Facts) form {
	m := form{
		"entscheid": wort(map[string]string{"ACCEPTED": "angenommen", "REJECTED": "abgelehnt"}, f.Decision),
		"datum":     tag(f.DecidedOn),
	}
	m.opt("grund", wort(ablehnungsgruende(), f.RejectionReason))
	if f.Lead != nil {
		m["fallfuehrung"] = kontakt(*f.Lead)
	}
	return m
}

func ablehnungsgruende() map[string]string {
	return map[string]string{
		"IV_REJECTION_RECENT": "iv-ablehnung-unter-einem-jahr", "NO_INTACT_WORK_OFFER": "kein-intaktes-arbeitsangebot",
		"NO_CAPACITY": "keine-kapazitaet", "GOAL_NOT_REALISABLE": "ziel-nicht-realisierbar", "OTHER": "sonstiger",
	}
}

// vorpruefung is what einmal writes of its own check; no clerk enters it.
func vorpruefung(f core.Facts) form {
	list := make([]form, len(f.Findings))
	for i, r := range f.Findings {
		list[i] = form{
			"regel": r.Rule, "gewicht": wort(map[string]string{"REFUSE": "ausschluss", "WARN": "hinweis"}, r.Severity), "quelle": r.Source, "wortlaut": r.Text,
		}
		list[i].opt("grund", wort(ablehnungsgruende(), r.Reason))
		list[i].opt("abhilfe", r.Hint)
	}
	return form{
		"ergebnis":  wort(map[string]string{"RETURNED": "zurueckgewiesen", "FORWARD": "weitergeleitet"}, f.CheckOutcome),
		"regelwerk": f.CheckProfile, "befunde": list,
	}
}

func termin(f core.Facts) form {
	return form{"termin": ortszeit(f.MeetingAt), "treffpunkt": f.MeetingPlace}
}

func teilnehmende(f core.Facts) []form {
	parts := map[string]string{"PERSON": "klient", "ASSIGNING": "auftraggeber", "RECEIVING": "auftragnehmer", "OTHER": "weitere"}
	list := make([]form, len(f.Participants))
	for i, p := range f.Participants {
		list[i] = form{"name": p.Name, "rolle": wort(parts, p.Part), "einverstanden": janein(p.Agreed)}
	}
	return list
}

func uebergabenotiz(f core.Facts) form {
	m := form{"gespraechsdatum": tag(f.HeldOn), "teilnehmende": teilnehmende(f), "kannUndWillArbeiten": janein(f.CanAndWantsWork)}
	m.opt("beginnFallarbeit", tag(f.StartOfCaseWork))
	m.opt("naechstesGespraech", tag(f.NextReviewOn))
	m.opt("strategie", f.Strategy)
	return mit(fuehrung(m, f), f)
}

func standortnotiz(f core.Facts) form {
	m := form{"gespraechsdatum": tag(f.HeldOn), "teilnehmende": teilnehmende(f), "weiterfuehrung": janein(f.Continue)}
	m.opt("naechstesGespraech", tag(f.NextReviewOn))
	m.opt("massnahmen", f.FurtherMeasures)
	return m
}

func vereinbarung(f core.Facts) form {
	m := form{"gueltigAb": tag(f.ExemptFrom), "gueltigBis": tag(f.ExemptTo), "unterzeichnetAm": tag(f.ExemptionSignedOn)}
	m.opt("grundVerlaengerung", f.ExtensionReason)
	return mit(m, f)
}

func koguAntrag(f core.Facts) form {
	m := form{
		"gesuch": f.Approval, "massnahme": f.Measure, "anbieter": f.Provider, "von": tag(f.MeasureFrom), "bis": tag(f.MeasureTo),
		"betrag": betrag(f.AmountCents), "waehrung": "CHF",
	}
	m.opt("ruecksendungBis", tag(f.ReturnBy))
	return m
}

func koguUnterzeichnet(f core.Facts) form {
	return mit(form{"gesuch": f.Approval, "unterzeichnetAm": tag(f.ApprovalSignedOn), "unterzeichnetVon": f.SignedBy}, f)
}

func koguAbgelehnt(f core.Facts) form {
	reasons := map[string]string{"NO_ENTITLEMENT": "kein-anspruch", "NOT_NECESSARY": "nicht-notwendig", "OTHER": "sonstiger"}
	return form{"gesuch": f.Approval, "datum": tag(f.RefusedOn), "grund": wort(reasons, f.RefusalReason)}
}

func koguMahnung(f core.Facts) form {
	return form{"gesuch": f.Approval, "ruecksendungBis": tag(f.ReturnBy)}
}

func massnahmeBestellt(f core.Facts) form {
	return form{"gesuch": f.Approval, "bestelltAm": tag(f.OrderedOn), "von": tag(f.MeasureFrom), "bis": tag(f.MeasureTo)}
}

func massnahmeBeendet(f core.Facts) form {
	m := form{"gesuch": f.Approval, "beendetAm": tag(f.CompletedOn)}
	m.opt("resultat", f.Result)
	return m
}

func rechnung(f core.Facts) form {
	return mit(form{"gesuch": f.Approval, "rechnungsdatum": tag(f.InvoicedOn), "betrag": betrag(f.InvoiceCents), "waehrung": "CHF"}, f)
}

func hinweis(f core.Facts) form {
	return form{"festgestelltAm": tag(f.ObservedOn), "hinweis": f.Hint}
}

func gespraechswunsch(f core.Facts) form {
	return form{"datum": tag(f.ExtraRequestedOn), "grund": f.ExtraReason}
}

func abschluss(f core.Facts) form {
	reasons := map[string]string{
		"REVOKED_BY_ASSIGNING": "auftrag-widerrufen", "GOAL_REACHED": "ziel-erreicht", "GOAL_NOT_REACHABLE": "ziel-nicht-erreichbar",
		"COST_APPROVAL_REFUSED": "kostengutsprache-abgelehnt", "PARALLEL_CASE_LEADERSHIP": "doppelte-fallfuehrung", "CONSENT_WITHDRAWN": "einwilligung-widerrufen",
	}
	outcomes := map[string]string{"SUCCESSFUL": "erfolgreich", "PARTIAL": "teilweise", "NOT_IMPLEMENTED": "nicht-umgesetzt", "OTHER": "sonstiges"}
	return mit(fuehrung(form{"datum": tag(f.ClosedOn), "grund": wort(reasons, f.ClosureReason), "ergebnis": wort(outcomes, f.Outcome)}, f), f)
}
