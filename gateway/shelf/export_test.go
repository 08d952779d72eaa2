package shelf

// Unsynced lets a shelf forget with the machine what it was given, for tests that kill nothing but views.
func (s *Shelf) Unsynced() { s.db.NoSync = true }
