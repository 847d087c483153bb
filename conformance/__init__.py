"""Judge mail servers against the RFCs; `refserver` is the server the judgements are proved on."""
