// Package schedule keeps order where order matters and nowhere else: one task at a time for each lane, any number of lanes at
// once, and an offset that is committed only when everything before it is complete.
//
// A lane is a case, or a case and a destination, so a case that waits (for a native system that is down, for a doubt to settle, for a
// person) never holds back another one. Rejected: a fixed pool of workers (lanes that wait would use it up and block the others), and one lane for each
// partition (one slow case would block all cases that share its partition).
package schedule

import "sync"

// Lanes runs tasks in lanes. The zero value is ready for use. It is safe for concurrent use.
type Lanes struct {
	mu      sync.Mutex
	waiting map[string][]func()
	running sync.WaitGroup
}

// Go runs task after all tasks that were put into the same lane before it, and concurrently with other lanes. It returns at once.
// A task may call Go. The number of goroutines is the number of lanes that have something to do.
func (l *Lanes) Go(lane string, task func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		l.waiting = map[string][]func(){}
	}
	queue, busy := l.waiting[lane]
	l.waiting[lane] = append(queue, task)
	if busy {
		return
	}
	l.running.Go(func() { l.drain(lane) })
}

// drain runs the tasks of one lane until none is left.
func (l *Lanes) drain(lane string) {
	for {
		task, ok := l.next(lane)
		if !ok {
			return
		}
		task()
	}
}

// next takes the lane's first task, or gives the lane up. Both under one lock, so that no task is left behind.
func (l *Lanes) next(lane string) (func(), bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := l.waiting[lane]
	if len(queue) == 0 {
		delete(l.waiting, lane)
		return nil, false
	}
	task := queue[0]
	queue[0] = nil // a long queue must not keep what its finished tasks held
	l.waiting[lane] = queue[1:]
	return task, true
}

// Active returns the number of lanes that have something to do.
func (l *Lanes) Active() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

// Wait returns when no lane has anything to do. Tasks put in afterwards are not waited for.
func (l *Lanes) Wait() { l.running.Wait() }
