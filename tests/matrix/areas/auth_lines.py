"""What the faults in the lines of an AUTH exchange and in AUTH= of MAIL break."""

CASES = ("smtp.auth.line", "smtp.auth.equals-ir", "smtp.auth.mail-", "smtp.auth.pipelined-plain")

BREAKS = {
    "auth-line-512": {"smtp.auth.line-12288", "smtp.auth.line-mech-max#1024"},
    "auth-line-2048": {"smtp.auth.line-12288"},
    "auth-cuts-lines": {"smtp.auth.line-mech-max#1024", "smtp.auth.line-mech-max#12288"},
    "auth-cuts-long-lines": {"smtp.auth.line-mech-max#12288"},
    "auth-loses-endless-lines": {"smtp.auth.line-too-long"},
    "auth-equals": {"smtp.auth.equals-ir#plain"},
    "auth-equals-external": {"smtp.auth.equals-ir#external"},
    "auth-no-submitter": {"smtp.auth.mail-param"},
    "auth-submitter-of-strangers": {"smtp.auth.mail-param-xtext#stranger"},
    "auth-submitter-of-users": {"smtp.auth.mail-param-xtext#logged-in"},
    "auth-submitter-no-hex": {"smtp.auth.mail-param-bad#no-hex"},
    "auth-submitter-lower-hex": {"smtp.auth.mail-param-bad#lower-hex"},
    "auth-submitter-empty": {"smtp.auth.mail-param-bad#empty"},
    "auth-submitter-cut": {"smtp.auth.mail-param-bad#end"},
    "auth-submitter-twice": {"smtp.auth.mail-param-bad#twice"},
    "auth-mail-512": {"smtp.auth.mail-line-plus-500"},
}
