// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// Any other token of the local chains: a plain ERC-20 whose `transfer` answers true, with the traps of Circle's:
/// the owner can block holders, as senders and as recipients, and pause all transfers.
/// Name, symbol and decimals are part of the code, so that code and owner (slot 0) are all there is to put in place.
contract TestToken {
    address public owner;
    bool public paused;
    uint256 public totalSupply;

    bytes32 private immutable _name;
    bytes32 private immutable _symbol;
    uint8 public immutable decimals;

    uint256 private constant UNLIMITED = type(uint256).max;

    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => bool) public isBlackListed;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    modifier onlyOwner() {
        require(msg.sender == owner, "caller is not the owner");
        _;
    }

    constructor(bytes32 name_, bytes32 symbol_, uint8 decimals_) {
        owner = msg.sender;
        _name = name_;
        _symbol = symbol_;
        decimals = decimals_;
    }

    function name() external view returns (string memory) {
        return _text(_name);
    }

    function symbol() external view returns (string memory) {
        return _text(_symbol);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        require(allowed >= value, "allowance is too small");
        if (allowed != UNLIMITED) {
            allowance[from][msg.sender] = allowed - value;
        }
        _move(from, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function issue(uint256 amount) external onlyOwner {
        totalSupply += amount;
        balanceOf[owner] += amount;
        emit Transfer(address(0), owner, amount);
    }

    function pause() external onlyOwner {
        paused = true;
    }

    function unpause() external onlyOwner {
        paused = false;
    }

    function addBlackList(address user) external onlyOwner {
        isBlackListed[user] = true;
    }

    function removeBlackList(address user) external onlyOwner {
        isBlackListed[user] = false;
    }

    function _move(address from, address to, uint256 value) private {
        require(!paused, "transfers are paused");
        require(!isBlackListed[from], "sender is blocked");
        require(!isBlackListed[to], "recipient is blocked");
        require(balanceOf[from] >= value, "balance is too small");
        unchecked {
            balanceOf[from] -= value;
            balanceOf[to] += value;
        }
        emit Transfer(from, to, value);
    }

    function _text(bytes32 packed) private pure returns (string memory) {
        uint256 length = 0;
        while (length < 32 && packed[length] != 0) {
            length++;
        }
        bytes memory text = new bytes(length);
        for (uint256 at = 0; at < length; at++) {
            text[at] = packed[at];
        }
        return string(text);
    }
}
