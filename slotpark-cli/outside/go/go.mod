module slotpark/outside

go 1.19
