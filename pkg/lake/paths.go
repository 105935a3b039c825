package lake

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// OtherDataset is the partition of every dataset whose name can't be a folder's.
const OtherDataset = "_other"

// PartitionName returns the dataset's folder name: the name itself if it matches [a-z0-9_.-]{1,64} and is neither "." nor
// "..", else OtherDataset. Names come from events: a hostile one must not leave data/.
func PartitionName(dataset string) string {
	if len(dataset) < 1 || len(dataset) > 64 || dataset == "." || dataset == ".." {
		return OtherDataset
	}
	for i := range len(dataset) {
		c := dataset[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-' {
			return OtherDataset
		}
	}
	return dataset
}

// partition is the folder of a file, relative to the lake.
func partition(f File) (string, error) {
	if day, err := time.Parse(time.DateOnly, f.Date); err != nil || day.Format(time.DateOnly) != f.Date {
		return "", fmt.Errorf("date %q is not of the form 2006-01-02", f.Date)
	}
	return path.Join("data", "dataset="+PartitionName(f.Dataset), "date="+f.Date), nil
}

var errPath = errors.New("not a path of a data file")

// Abs returns where a data file of this lake lies. A path that is none is an error: it comes from a log or a plan.
func (l *Lake) Abs(rel string) (string, error) {
	if !strings.HasPrefix(rel, "data/") || !filepath.IsLocal(rel) || path.Clean(rel) != rel {
		return "", fmt.Errorf("%q: %w", rel, errPath)
	}
	return l.path(filepath.FromSlash(rel)), nil
}
