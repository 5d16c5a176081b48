module slotpark/outside

go 1.19

require golang.org/x/sync v0.7.0

replace golang.org/x/sync => /usr/share/gocode/src/golang.org/x/sync
