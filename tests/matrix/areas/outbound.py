"""What the faults in what leaves for the next hop, and in notices of failure, break."""

CASES = ("smuggle.out.", "bounce.",)

BREAKS = {
    "sends-bare": {
        "smuggle.out.bare-cr-lf-any#cr",
        "smuggle.out.bare-cr-lf-any#cr-before-crlf",
        "smuggle.out.bare-cr-lf-any#header",
        "smuggle.out.bare-cr-lf-any#lf",
        "smuggle.out.bare-cr-lf-any#lf-after-crlf",
        "smuggle.out.bare-cr-lf-any#long",
        "smuggle.out.cr-dot-cr",
        "smuggle.out.cr-dot-crlf",
        "smuggle.out.lf-dot-crlf",
        "smuggle.out.lf-dot-lf",
    },
    "sends-whole-unstuffed": {
        "smuggle.out.after-normalise#cr-dot-cr",
        "smuggle.out.after-normalise#cr-dot-crlf",
        "smuggle.out.after-normalise#lf-dot-crlf",
        "smuggle.out.after-normalise#lf-dot-lf",
        "smuggle.out.after-normalise#lfcr-dot-crlf",
        "smuggle.out.cr-dot-cr",
        "smuggle.out.cr-dot-crlf",
        "smuggle.out.lf-dot-crlf",
        "smuggle.out.lf-dot-lf",
    },
    "sends-without-nul": {"smuggle.out.crlf-nul-dot"},
    "sends-unstuffed": {
        "smuggle.out.bdat-to-data#before-dot",
        "smuggle.out.bdat-to-data#behind-dot",
        "smuggle.out.bdat-to-data#whole",
        "smuggle.out.stuffs",
    },
    "sends-chunks-unstuffed": {
        "smuggle.out.bdat-to-data#before-dot",
        "smuggle.out.bdat-to-data#behind-dot",
        "smuggle.out.bdat-to-data#whole",
    },
    "bounce-never": {"bounce.sent"},
    "bounce-from-postmaster": {"bounce.null-sender"},
    "bounce-to-author": {"bounce.to-envelope-sender"},
    "bounce-to-reply-to": {"bounce.to-envelope-sender"},
    "bounce-for-null": {"bounce.none-for-null"},
    "bounce-only-text": {"bounce.mime-report"},
    "bounce-by-route": {"bounce.route-stripped"},
    "bounce-unknown": {"bounce.no-backscatter"},
}
