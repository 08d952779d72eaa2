package shelf

import (
	"encoding/binary"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	bolt "go.etcd.io/bbolt"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// Put implements [ledger.Shelf]. Errors are of kind Retry. What is there already, because an error came after it was written, is not put there twice.
func (s *Shelf) Put(b ledger.Batch) (err error) {
	defer func() { err = fault.Wrap(fault.Retry, "shelf.put", err) }()
	defer guarded(&err)()
	kept := s.take()
	defer func() {
		if err != nil {
			s.giveBack(kept)
		}
	}()
	return s.db.Update(func(tx *bolt.Tx) error {
		for id, value := range kept {
			if err := set(sealed.in(tx), id, value, value != nil); err != nil {
				return err
			}
		}
		p, err := newPutting(tx)
		if err != nil {
			return err
		}
		for i := range b.Records {
			if err := p.add(&b.Records[i]); err != nil {
				return err
			}
		}
		return p.finish(b)
	})
}

// take returns what is to be kept since the last time.
func (s *Shelf) take() map[handover.CaseID][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.kept
	s.kept = map[handover.CaseID][]byte{}
	return kept
}

// giveBack notes what was not written, unless something newer is there.
func (s *Shelf) giveBack(kept map[handover.CaseID][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, value := range kept {
		if _, newer := s.kept[id]; !newer {
			s.kept[id] = value
		}
	}
}

// putting is one batch on its way.
type putting struct {
	tx     *bolt.Tx
	order  uint64  // of the last record
	next   []int64 // what comes before is there already
	orders map[handover.CaseID][]byte
	ends   map[int32]*ledger.Shelved
}

func newPutting(tx *bolt.Tx) (*putting, error) {
	p := &putting{tx: tx, orders: map[handover.CaseID][]byte{}, ends: map[int32]*ledger.Shelved{}}
	records.in(tx).FillPercent = 1 // it only grows at its end
	if b := meta.in(tx).Get([]byte(orderKey)); b != nil {
		if len(b) != 8 {
			return nil, errDamaged
		}
		p.order = binary.BigEndian.Uint64(b)
	}
	var totals ledger.Totals
	if b := meta.in(tx).Get([]byte(totalsKey)); b != nil {
		if err := json.Unmarshal(b, &totals); err != nil {
			return nil, err
		}
	}
	p.next = totals.Next
	return p, nil
}

// add puts one record where it is found.
func (p *putting) add(r *ledger.Shelved) error {
	if int(r.Partition) < len(p.next) && r.Offset < p.next[r.Partition] {
		return nil
	}
	p.order++
	r.Order = p.order
	p.ends[r.Partition] = r
	if r.Base != "" {
		return base.in(p.tx).Put([]byte(r.Base), ordered(r.Stored))
	}
	p.orders[r.Case] = binary.AppendUvarint(p.orders[r.Case], r.Order)
	for _, t := range r.Ties {
		if err := p.tie(r.Case, []byte(t)); err != nil {
			return err
		}
	}
	return records.in(p.tx).Put(binary.BigEndian.AppendUint64(nil, r.Order), encode(r.Stored))
}

// tie notes which case a message, reference or difference belongs to, and both cases when it is a second one.
func (p *putting) tie(id handover.CaseID, name []byte) error {
	b := ties.in(p.tx)
	owner := b.Get(name)
	if owner == nil {
		return b.Put(name, key(id))
	}
	other := caseOf(owner)
	if other == id {
		return nil
	}
	for _, pair := range [][2]handover.CaseID{{id, other}, {other, id}} {
		b, err := tied.in(p.tx).CreateBucketIfNotExists(key(pair[0]))
		if err != nil {
			return err
		}
		if err := b.Put(key(pair[1]), nil); err != nil {
			return err
		}
	}
	return nil
}

// finish writes what is known of the cases, and where the view is.
func (p *putting) finish(b ledger.Batch) error {
	for _, id := range slices.Sorted(maps.Keys(p.orders)) { // in their order the pages are written once
		c := cases.in(p.tx)
		if err := c.Put(key(id), append(slices.Clone(c.Get(key(id))), p.orders[id]...)); err != nil {
			return err
		}
	}
	for id, is := range b.Awake {
		if err := set(awake.in(p.tx), id, nil, is); err != nil {
			return err
		}
		r, runs := b.Running[id]
		v, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if err := set(running.in(p.tx), id, v, runs); err != nil {
			return err
		}
	}
	for partition, r := range p.ends {
		if err := last.in(p.tx).Put([]byte(strconv.Itoa(int(partition))), ordered(r.Stored)); err != nil {
			return err
		}
	}
	totals, err := json.Marshal(b.Totals)
	if err != nil {
		return err
	}
	if err := meta.in(p.tx).Put([]byte(totalsKey), totals); err != nil {
		return err
	}
	return meta.in(p.tx).Put([]byte(orderKey), binary.BigEndian.AppendUint64(nil, p.order))
}

// set puts a case into a bucket, or takes it out.
func set(b *bolt.Bucket, id handover.CaseID, value []byte, in bool) error {
	if in {
		return b.Put(key(id), value)
	}
	return b.Delete(key(id))
}

// encode writes a record: a checksum, partition, offset, time, and the value.
func encode(r ledger.Stored) []byte {
	b := make([]byte, 4, 32+len(r.Value))
	b = binary.AppendVarint(b, int64(r.Partition))
	b = binary.AppendVarint(b, r.Offset)
	b = binary.AppendVarint(b, r.At.UnixNano())
	b = append(b, r.Value...)
	binary.BigEndian.PutUint32(b, crc32.ChecksumIEEE(b[4:]))
	return b
}

// decode reads what encode has written.
func decode(b []byte) (r ledger.Stored, err error) {
	if len(b) < 4 || binary.BigEndian.Uint32(b) != crc32.ChecksumIEEE(b[4:]) {
		return r, errDamaged
	}
	b = b[4:]
	var numbers [3]int64
	for i := range numbers {
		n, size := binary.Varint(b)
		if size <= 0 {
			return r, errDamaged
		}
		numbers[i], b = n, b[size:]
	}
	return ledger.Stored{Partition: int32(numbers[0]), Offset: numbers[1], At: time.Unix(0, numbers[2]).UTC(), Value: slices.Clone(b)}, nil //nolint:gosec // it was an int32
}

// ordered is encode for a record whose key is not its order.
func ordered(r ledger.Stored) []byte {
	return append(binary.BigEndian.AppendUint64(nil, r.Order), encode(r)...)
}

// all returns the records of a bucket of those, in their order.
func all(b *bolt.Bucket) (found []ledger.Stored, err error) {
	err = b.ForEach(func(_, v []byte) error {
		if len(v) < 8 {
			return errDamaged
		}
		r, err := decode(v[8:])
		r.Order = binary.BigEndian.Uint64(v)
		found = append(found, r)
		return err
	})
	slices.SortFunc(found, func(a, b ledger.Stored) int {
		switch {
		case a.Order < b.Order:
			return -1
		case a.Order > b.Order:
			return 1
		}
		return 0
	})
	return found, err
}
