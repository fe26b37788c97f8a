"""What databases are like: facts only, shared by every adapter that speaks the dialect.

A file here knows how its database spells strings, transactions and error codes. It knows no driver, opens nothing and
awaits nothing.
"""
