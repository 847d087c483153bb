"""What the RFCs ask of a mail server, as data: one row a requirement, with ids that never change."""
