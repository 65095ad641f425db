"""What tests share: the program under test, a service that misbehaves, sample records."""
