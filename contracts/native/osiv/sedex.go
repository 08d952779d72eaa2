package osiv

// Effect is what a receipt means for the message that it is about.
type Effect string

const (
	// Pending: the message is on its way or was delivered. Only a business report tells more.
	Pending Effect = "pending"
	// Refused: the carrier did not take it over, because of the message or its recipient, and will not take the same again.
	Refused Effect = "refuse"
	// Undelivered: it was given up without being delivered. The same message may be handed over again.
	Undelivered Effect = "retry"
	// Barred: the carrier did not take it over, because of the sender's own registration, rights or certificate. Nothing goes through until that is put right.
	Barred Effect = "stop"
)

// ReceiptCode is one code of a sedex receipt.
type ReceiptCode struct {
	Code    int
	Meaning string
	Effect  Effect
}

// Codes that have a meaning of their own here.
const (
	CodeDelivered = 100
	CodeDuplicate = 201
)

// ReceiptCodes returns every code that the carrier documents, in ascending order. 201 is pending: a message with this id was taken over earlier, and its outcome counts.
func ReceiptCodes() []ReceiptCode {
	return []ReceiptCode{
		{CodeDelivered, "delivered to the other adapter", Pending},
		{200, "envelope invalid", Barred},
		{CodeDuplicate, "message id used before", Pending},
		{202, "payload not found", Undelivered},
		{203, "too old to be sent", Undelivered},
		{204, "expired before it was delivered", Undelivered},
		{300, "sender unknown", Barred},
		{301, "recipient unknown", Refused},
		{302, "physical sender unknown", Barred},
		{303, "message type invalid", Refused},
		{304, "message class invalid", Refused},
		{310, "sender not allowed to send this type", Barred},
		{311, "recipient not allowed to receive this type", Refused},
		{312, "certificate not valid", Barred},
		{313, "other recipients not allowed to receive", Refused},
		{330, "too large", Refused},
		{400, "network error", Undelivered},
		{401, "hub not reachable", Undelivered},
		{402, "folder not reachable", Undelivered},
		{403, "logging service not reachable", Undelivered},
		{404, "authorisation service not reachable", Undelivered},
		{500, "internal error of the carrier", Undelivered},
		{501, "error while receiving", Undelivered},
		{601, "sent", Pending},
		{701, "will expire soon", Pending},
	}
}

// ReceiptCodeOf returns the entry of a code.
func ReceiptCodeOf(code int) (ReceiptCode, bool) {
	for _, c := range ReceiptCodes() {
		if c.Code == code {
			return c, true
		}
	}
	return ReceiptCode{}, false
}
