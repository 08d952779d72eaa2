package claims

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What Redis 7.0.15 says with --save "" --maxmemory-policy allkeys-lru, shortened.
const lru = "# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n\r\n# Persistence\r\nloading:0\r\naof_enabled:0\r\naof_last_write_status:ok\r\n# Replication\r\nrole:master\r\n"

// Faults 45, 46 and 47: what evicts or forgets is named; what does not tell is not accused.
func TestARedisThatLosesKeysIsWarnedOf(t *testing.T) {
	for name, tc := range map[string]struct {
		info   string
		config map[string]string
		codes  []string
	}{
		"evicts, forgets":               {lru, map[string]string{"save": ""}, []string{"evicting", "not-persistent"}},
		"evicts, takes snapshots":       {lru, map[string]string{"save": "3600 1"}, []string{"evicting", "snapshots-only"}},
		"evicts, CONFIG is not allowed": {lru, nil, []string{"evicting", "snapshots-only"}},
		"INFO is not allowed":           {"", map[string]string{"maxmemory-policy": "volatile-ttl", "maxmemory": "100", "appendonly": "no", "save": ""}, []string{"evicting", "not-persistent"}},
		"in order, by INFO":             {"maxmemory_policy:noeviction\r\naof_enabled:1\r\naof_last_write_status:ok\r\nrole:master\r\n", nil, nil},
		"in order, by CONFIG":           {"", map[string]string{"maxmemory-policy": "noeviction", "appendonly": "yes"}, nil},
		"its disk is full":              {"maxmemory_policy:noeviction\r\naof_enabled:1\r\naof_last_write_status:err\r\n", nil, []string{"not-persistent"}},
		"a replica":                     {"maxmemory_policy:noeviction\r\naof_enabled:1\r\nrole:slave\r\n", nil, []string{"replica"}},
		"loading":                       {"maxmemory_policy:noeviction\r\naof_enabled:1\r\nloading:1\r\n", nil, []string{"loading"}},
		"tells nothing":                 {"# Clients\r\nconnected_clients:1\r\n", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := settings{}
			s.info(tc.info)
			s.config(tc.config)
			var codes []string
			for _, f := range s.judge() {
				codes = append(codes, f.Code)
				require.NotEmpty(t, f.Next)
			}
			require.Equal(t, tc.codes, codes)
		})
	}
}
