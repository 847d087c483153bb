"""What the faults in how a maildrop is listed, and kept while mail comes in, break."""

CASES = (
    "x.size.", "x.top.", "x.uidl.", "x.body.empty", "x.body.headers-", "x.body.no-", "x.body.zero-",
    "x.delivery.during-", "x.delivery.delete-",
)

BREAKS = {
    "x-retr-adds-status": {"x.size.list-equals-retr"},
    "x-retr-joins-line-ends": {"x.size.list-equals-retr"},
    "x-list-counts-one-more": {"x.size.list-equals-retr", "x.size.stat-equals-sum"},
    "x-stat-is-late": {"x.size.stat-equals-sum"},
    "x-top-folds": {"x.top.prefix-of-retr"},
    "x-top-leaves-out": {"x.top.prefix-of-retr"},
    "x-uidl-is-message-id": {"x.uidl.redelivery-new#both", "x.uidl.redelivery-new#deleted"},
    "x-view-grows": {"x.delivery.during-pop"},
    "x-view-shifts": {"x.delivery.during-pop"},
    "x-open-loses": {"x.delivery.during-pop"},
    "x-open-refuses": {"x.delivery.during-pop"},
    "x-update-writes-back": {"x.delivery.delete-during-delivery"},
    "x-update-takes-neighbours": {"x.delivery.delete-during-delivery"},
    "x-empty-gets-a-body": {"x.body.empty"},
}
