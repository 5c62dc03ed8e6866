"""The registration of an IRC client: capabilities, SASL, NickServ, and the waiting room."""
