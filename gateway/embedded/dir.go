package embedded

import "os"

// makeDir makes a folder that only its owner can enter.
func makeDir(dir string) error { return os.MkdirAll(dir, 0o700) }
